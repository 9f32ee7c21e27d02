package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gatehouse/directory"
)

// Format is how a file is written.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
	LDIF      Format = "ldif"
)

// FormatOf tells the format of a file by its name; "" when it does not tell.
func FormatOf(name string) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonl", ".ndjson":
		return JSONLines
	case ".csv":
		return CSV
	case ".ldif", ".ldf":
		return LDIF
	}
	return ""
}

// raw is a record as it stood in a file. Decoding is apart from finding where a
// record ends, so that several may be decoded at once. A decoder that fails
// returns as much of the record as tells whose it is.
type raw struct {
	line   int
	size   int // in bytes, about
	decode func() (any, error)
}

// reader finds the records of a file, one after the other.
type reader interface {
	// next returns the next record; io.EOF at the end. Any other error ends the file.
	next() (raw, error)
}

// maxRecord bounds one record in bytes: a file of any size is read in little memory.
const maxRecord = 1 << 20

// errRecordTooLong ends a file: where the next record begins is not known.
var errRecordTooLong = fmt.Errorf("a record is longer than %d bytes; is a quotation mark or an empty line missing?", maxRecord)

// Options say how a file is to be read.
type Options struct {
	Format Format
	// Kind is that of every record of a CSV file; by default users.
	Kind string
	// NumberAttribute is the LDIF attribute with the numeric id of a user; by
	// default employeeNumber.
	NumberAttribute string
}

// open returns the reader of a format.
func (o Options) open(r io.Reader, now directory.Clock) (reader, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = buffered.Discard(3) // they were peeked at
	}
	switch o.Format {
	case JSONLines:
		return &jsonReader{lines: lineReader{r: buffered}}, nil
	case CSV:
		return openCSV(buffered, o.Kind)
	case LDIF:
		return newLDIFReader(buffered, o.NumberAttribute, now), nil
	}
	return nil, errors.New("of what format is the file? Say --format jsonl, csv or ldif")
}

// lineReader reads lines and counts them.
type lineReader struct {
	r    *bufio.Reader
	line int // of the line read last, from 1
}

// next returns a line without its end, good until the next call. One that is too
// long is skipped, as errRecordTooLong.
func (l *lineReader) next() ([]byte, error) {
	l.line++
	text, err := l.r.ReadSlice('\n')
	if err == nil || errors.Is(err, io.EOF) && len(text) > 0 {
		return bytes.TrimRight(text, "\r\n"), nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	long := bytes.Clone(text)
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = l.r.ReadSlice('\n')
		if len(long) <= maxRecord {
			long = append(long, text...)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(long) > maxRecord {
		return nil, errRecordTooLong
	}
	return bytes.TrimRight(long, "\r\n"), nil
}
