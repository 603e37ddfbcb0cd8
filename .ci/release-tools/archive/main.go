// Command archive writes the files below a folder as a zip archive to standard output, the
// same bytes for the same files: archive FOLDER NAME SECONDS. NAME is the folder in the
// archive, SECONDS the time of every file, since 1970.
package main

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "archive FOLDER NAME SECONDS")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func write(out io.Writer, folder, name, seconds string) error {
	epoch, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	files := os.DirFS(folder)
	// WalkDir goes in the order of the names.
	err = fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: path.Join(name, file), Method: zip.Deflate, Modified: time.Unix(epoch, 0).UTC()}
		header.SetMode(info.Mode())
		w, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		content, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	return z.Close()
}
