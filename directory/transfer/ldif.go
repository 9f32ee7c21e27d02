package transfer

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// entry is one record of content of an LDIF file (RFC 2849).
type entry struct {
	line  int
	size  int // in bytes
	dn    string
	attrs map[string][]string // by name in lower case, without options
	fault error               // nil, or why it is not to be used
}

// first returns the first value of the first of these attributes that is there.
func (e *entry) first(names ...string) string {
	for _, name := range names {
		if values := e.attrs[name]; len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func (e *entry) faulty() bool { return e.fault != nil }

// is reports whether the entry is of an object class, in lower case.
func (e *entry) is(class string) bool {
	for _, value := range e.attrs["objectclass"] {
		if strings.EqualFold(value, class) {
			return true
		}
	}
	return false
}

// entryReader reads the entries of an LDIF file, one after the other: those that
// libraries for LDIF read are all in memory at once.
type entryReader struct {
	lines  lineReader
	ahead  []byte // the line after the one that was read, nil when none was looked at
	ended  error
	number int // of the line read last
}

func newEntryReader(r *bufio.Reader) *entryReader {
	return &entryReader{lines: lineReader{r: r}}
}

// line returns a line with those that continue it; a comment is one as well.
func (l *entryReader) line() ([]byte, error) {
	text, err := l.take()
	if err != nil {
		return nil, err
	}
	l.number = l.lines.line
	whole := bytes.Clone(text)
	for {
		next, err := l.take()
		if errors.Is(err, io.EOF) {
			return whole, nil // the next call says so again
		}
		if err != nil {
			return nil, err
		}
		if len(next) == 0 || next[0] != ' ' || len(whole) == 0 {
			l.ahead = next
			return whole, nil
		}
		if whole = append(whole, next[1:]...); len(whole) > maxRecord {
			return nil, errRecordTooLong
		}
	}
}

// take returns a line as it stands. One that was looked at stays good: the
// reader does not go on before it is taken.
func (l *entryReader) take() ([]byte, error) {
	if l.ahead != nil {
		text := l.ahead
		l.ahead = nil
		return text, nil
	}
	if l.ended != nil {
		return nil, l.ended
	}
	text, err := l.lines.next()
	if err != nil {
		l.ended = err
		return nil, err
	}
	if text == nil {
		text = []byte{}
	}
	return text, nil
}

// next returns the next entry; io.EOF after the last.
func (l *entryReader) next() (*entry, error) {
	var e *entry
	size := 0
	for {
		text, err := l.line()
		if errors.Is(err, io.EOF) && e != nil {
			e.size = size
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		if size += len(text); size > maxRecord {
			return nil, errRecordTooLong
		}
		switch {
		case len(text) == 0 && e != nil:
			e.size = size
			return e, nil
		case len(text) == 0, text[0] == '#', e == nil && bytes.HasPrefix(text, []byte("version:")):
			continue
		case e == nil:
			e = &entry{line: l.number, attrs: map[string][]string{}}
		}
		if err := e.add(text); err != nil && e.fault == nil {
			e.fault = err
		}
	}
}

// add takes a line of an entry, without quoting it when it is wrong.
func (e *entry) add(text []byte) error {
	name, value, found := strings.Cut(string(text), ":")
	if !found {
		return errors.New("a line without a colon")
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ";")
	switch {
	case strings.HasPrefix(value, "<"):
		return fmt.Errorf("%s: values at other addresses are not read", attributeName(name))
	case strings.HasPrefix(value, ":"):
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value[1:]))
		if err != nil {
			return fmt.Errorf("%s: malformed base64", attributeName(name))
		}
		value = string(decoded)
	default:
		value = strings.TrimLeft(value, " ")
	}
	switch {
	case name == "dn" && e.dn == "":
		e.dn = value
	case e.dn == "":
		return errors.New("an entry that does not begin with its dn")
	case name == "changetype" && value != "add":
		return errors.New("a change that adds nothing: only entries are taken")
	default:
		e.attrs[name] = append(e.attrs[name], value)
	}
	return nil
}

// attributeName is a name as it can be shown: what is none may be a value that
// slipped.
func attributeName(name string) string {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			return "an attribute"
		}
	}
	return name
}

// splitDN returns the values of the relative names of a distinguished name, the
// entry's own first, and whether it is one (RFC 4514). Of a relative name of several
// parts it is the first.
func splitDN(dn string) (values []string, ok bool) {
	var value strings.Builder
	inValue, skip := false, false
	end := func() bool {
		values = append(values, strings.TrimSpace(value.String()))
		value.Reset()
		whole := inValue
		inValue, skip = false, false
		return whole
	}
	for i := 0; i < len(dn); i++ {
		switch c := dn[i]; {
		case c == '\\' && i+1 < len(dn):
			escaped, width := unescape(dn[i+1:])
			i += width
			if inValue && !skip {
				value.WriteByte(escaped)
			}
		case c == '=' && !inValue:
			inValue = true
		case c == '+' && inValue:
			skip = true
		case c == ',':
			if !end() {
				return nil, false
			}
		case inValue && !skip:
			value.WriteByte(c)
		}
	}
	return values, end()
}

// unescape reads what follows a backslash: two hexadecimal digits, or a character itself.
func unescape(s string) (b byte, width int) {
	if len(s) >= 2 {
		if decoded, err := hex.DecodeString(s[:2]); err == nil {
			return decoded[0], 2
		}
	}
	return s[0], 1
}
