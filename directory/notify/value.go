package notify

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"gatehouse/internal/web"
)

// A JSON document as validation sees it: nil, bool, string, number, []any or
// object. Messages show values as Python would, so that numbers keep their
// literal and objects their order.
type (
	number string
	object []member
	member struct {
		name  string
		value any
	}
)

// get returns a member's value, and whether it is there.
func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// readValue reads the request's JSON document, both as bytes and as a value.
// Duplicate keys and broken UTF-8 are refused, so that there is one reading of it.
func readValue(r *http.Request) (jsontext.Value, any, error) {
	var raw jsontext.Value
	if err := web.ReadJSON(r, &raw, false); err != nil {
		if errors.Is(err, web.ErrBody) {
			return nil, nil, errNotUnderstood
		}
		return nil, nil, err
	}
	v, err := parseValue(raw)
	if err != nil {
		return nil, nil, err
	}
	return raw, v, nil
}

func parseValue(raw []byte) (any, error) {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	v, err := decodeValue(d)
	if err != nil && !errors.Is(err, errNUL) {
		return nil, errNotUnderstood
	}
	return v, err
}

func decodeValue(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return noNUL(token.String())
	case '0':
		return number(token.String()), nil
	case '[':
		return decodeArray(d)
	default:
		return decodeObject(d)
	}
}

func decodeArray(d *jsontext.Decoder) (any, error) {
	array := []any{}
	for d.PeekKind() != ']' {
		v, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := d.ReadToken()
	return array, err
}

func decodeObject(d *jsontext.Decoder) (any, error) {
	o := object{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		text := name.String() // the token is void after the next read
		v, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		o = append(o, member{text, v})
	}
	_, err := d.ReadToken()
	return o, err
}

// noNUL refuses the one character that PostgreSQL cannot store.
func noNUL(s string) (any, error) {
	if strings.ContainsRune(s, 0) {
		return nil, errNUL
	}
	return s, nil
}

// show writes a value as Python's repr does, without any single quote: the
// messages of upstream have them removed.
func show(v any) string {
	var b strings.Builder
	writeRepr(&b, v)
	return strings.ReplaceAll(b.String(), "'", "")
}

func writeRepr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case string:
		writeString(b, v)
	case number:
		b.WriteString(showNumber(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			separate(b, i)
			writeRepr(b, item)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, m := range v {
			separate(b, i)
			writeString(b, m.name)
			b.WriteString(": ")
			writeRepr(b, m.value)
		}
		b.WriteByte('}')
	}
}

func separate(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

func writeString(b *strings.Builder, s string) {
	quote := '\''
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
}

// isInteger reports whether the literal is an int in Python; 1.0 is a float.
func (n number) isInteger() bool { return !strings.ContainsAny(string(n), ".eE") }

func showNumber(n number) string {
	if n.isInteger() {
		if n == "-0" {
			return "0"
		}
		return string(n)
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil { // beyond the range of a double, in either language
		return map[bool]string{true: "inf", false: "-inf"}[f > 0]
	}
	shortest := strconv.FormatFloat(f, 'e', -1, 64)
	_, exponent, _ := strings.Cut(shortest, "e")
	if e, _ := strconv.Atoi(exponent); e < -4 || e >= 16 {
		return shortest
	}
	plain := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain
}
