// Command sbom writes the CycloneDX bill of materials of a Go binary, from what the
// linker recorded in it: the modules in the binary, with their checksums and licenses. NOTICES
// gets the license texts.
//
//	sbom BINARY NAME VERSION NOTICES > NAME.cdx.json
//
// The same binary gives the same bytes; the time is SOURCE_DATE_EPOCH.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY NAME VERSION NOTICES")
		os.Exit(2)
	}
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "sbom: %v\n", err)
		os.Exit(1)
	}
}

// run has the arguments of the command.
func run(args []string, out io.Writer) error {
	path, name, version, texts := args[0], args[1], args[2], args[3]
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i, m := range info.Deps {
		if m.Replace != nil {
			info.Deps[i] = m.Replace
		}
	}
	found, err := licenses(info.Deps)
	if err != nil {
		return err
	}
	if err := notices(texts, info.Deps, found); err != nil {
		return err
	}
	main := cdx.Component{Name: name, Version: version}
	bom, err := describe(info, sha256.Sum256(content), main, found)
	if err != nil {
		return err
	}
	return cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}

// describe lists the binary, the modules in it and the Go standard library. sum is the binary's
// checksum, main has its name and version.
func describe(
	info *debug.BuildInfo,
	sum [sha256.Size]byte,
	main cdx.Component,
	found map[string]license,
) (*cdx.BOM, error) {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	root := "pkg:golang/" + info.Main.Path + "@" + main.Version
	main.BOMRef, main.Type, main.PackageURL = root, cdx.ComponentTypeApplication, root
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}}
	main.Licenses = choices("Apache-2.0")
	std := "pkg:golang/std@" + info.GoVersion[len("go"):]
	components := []cdx.Component{{
		BOMRef: std, Type: cdx.ComponentTypeLibrary, Name: "std", Version: info.GoVersion, PackageURL: std,
		Licenses: choices("BSD-3-Clause"),
	}}
	refs := []string{std}
	for _, m := range info.Deps {
		ref := "pkg:golang/" + m.Path + "@" + m.Version
		components = append(components, cdx.Component{
			BOMRef: ref, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: ref,
			Licenses:   choices(found[m.Path].ids...),
			Properties: &[]cdx.Property{{Name: "go:sum", Value: m.Sum}},
		})
		refs = append(refs, ref)
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = uuid(sum)
	bom.Metadata = &cdx.Metadata{Timestamp: time.Unix(seconds, 0).UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: root, Dependencies: &refs}}
	return bom, nil
}

// uuid makes a version 8 UUID (RFC 9562) of the binary's checksum.
func uuid(sum [sha256.Size]byte) string {
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
