package windows_test

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
)

// primitives is bcryptprimitives.dll for a wine before 9, which lacks it: Go's runtime takes
// its random numbers from its one function, ProcessPrng. The library holds no code: the
// export is a forwarder to the same function under its older name (Microsoft PE format,
// "Export Address Table").
func primitives() []byte {
	const (
		section = 0x1000 // RVA
		raw     = 0x200  // file offset and size of the section
		library = "bcryptprimitives.dll\x00"
		name    = "ProcessPrng\x00"
		forward = "advapi32.SystemFunction036\x00"

		tables = section + 40 // behind the export directory
		text   = tables + 10  // behind one address, one name pointer, one ordinal
	)
	var b bytes.Buffer
	write := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	b.WriteString("MZ")
	b.Write(make([]byte, 58))
	write(uint32(64)) // where the PE header begins
	b.WriteString("PE\x00\x00")
	var optional pe.OptionalHeader64
	write(pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1,
		SizeOfOptionalHeader: uint16(binary.Size(optional)),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
	})
	optional = pe.OptionalHeader64{
		Magic: 0x20b, ImageBase: 0x180000000, SectionAlignment: 0x1000, FileAlignment: raw,
		MajorOperatingSystemVersion: 6, MajorSubsystemVersion: 6, Subsystem: pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		SizeOfInitializedData: raw, SizeOfImage: 2 * section, SizeOfHeaders: raw, NumberOfRvaAndSizes: 16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = pe.DataDirectory{VirtualAddress: section, Size: raw}
	write(optional)
	write(pe.SectionHeader32{
		Name: [8]uint8{'.', 'e', 'd', 'a', 't', 'a'}, VirtualSize: raw, VirtualAddress: section,
		SizeOfRawData: raw, PointerToRawData: raw,
		Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	})
	b.Write(make([]byte, raw-b.Len()))
	write(struct{ Flags, Time, Version, Library, Base, Functions, Names, Address, NamePointers, Ordinals uint32 }{
		Library: text, Base: 1, Functions: 1, Names: 1, Address: tables, NamePointers: tables + 4, Ordinals: tables + 8,
	})
	write(uint32(text + len(library) + len(name)))
	write(uint32(text + len(library)))
	write(uint16(0))
	b.WriteString(library + name + forward)
	b.Write(make([]byte, 2*raw-b.Len()))
	return b.Bytes()
}
