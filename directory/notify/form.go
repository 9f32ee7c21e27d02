package notify

import (
	"slices"
	"strings"

	"gatehouse/directory"
)

// presence says what a field of a form may leave out.
type presence int

const (
	optional presence = iota // may be absent, not null
	nullable                 // may be absent or null
	required
)

// form reads the fields of a body in the manner of marshmallow: every field is
// looked at, and the faults of all are told at once.
type form struct {
	body   object
	faults map[string][]string
}

func newForm(v any) (*form, error) {
	body, ok := v.(object)
	if !ok {
		return nil, fieldFault("_schema", "Invalid input type.")
	}
	return &form{body: body, faults: map[string][]string{}}, nil
}

// err returns nil or the shape E2 with every fault.
func (f *form) err() error {
	if len(f.faults) == 0 {
		return nil
	}
	return fieldFaults(f.faults)
}

func (f *form) refuse(name, text string) { f.faults[name] = append(f.faults[name], text) }

// value returns a field that is there and not null.
func (f *form) value(name string, p presence) (any, bool) {
	v, ok := f.body.get(name)
	switch {
	case !ok && p == required:
		f.refuse(name, "Missing data for required field.")
	case ok && v == nil && p != nullable:
		f.refuse(name, "Field may not be null.")
	}
	return v, ok && v != nil
}

// text returns a string field; "" when it is absent. A check returns what is
// wrong with the string, or "".
func (f *form) text(name string, p presence, check func(string) string) string {
	v, ok := f.value(name, p)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		f.refuse(name, "Not a valid string.")
		return ""
	}
	if fault := check(s); fault != "" {
		f.refuse(name, fault)
	}
	return s
}

// flag returns a boolean field, in any of marshmallow's spellings.
func (f *form) flag(name string, absent bool) bool {
	v, ok := f.value(name, optional)
	if !ok {
		return absent
	}
	b, ok := truth(v)
	if !ok {
		f.refuse(name, "Not a valid boolean.")
	}
	return b
}

func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case number:
		return v == "1" || v == "1.0", v == "1" || v == "1.0" || v == "0" || v == "0.0"
	case string:
		switch strings.ToLower(v) {
		case "t", "true", "on", "y", "yes", "1":
			return true, true
		case "f", "false", "off", "n", "no", "0":
			return false, true
		}
	}
	return false, false
}

// Checks of single fields, with upstream's texts.

func validName(s string) string {
	if strings.TrimSpace(s) == "" {
		return "Invalid name"
	}
	return tooLong(s)
}

func validEmail(s string) string {
	if directory.ValidateEmail(s) != nil {
		return "Not a valid email address"
	}
	return tooLong(s)
}

func validMobile(s string) string {
	if _, err := directory.ParseMobile(s); err != nil {
		return "Invalid phone number: " + err.Error()
	}
	return tooLong(s)
}

func tooLong(s string) string {
	if len([]rune(s)) > 255 {
		return "Longer than maximum length 255."
	}
	return ""
}

func oneOf(choices ...string) func(string) string {
	return func(s string) string {
		if !slices.Contains(choices, s) {
			return "Must be one of: " + strings.Join(choices, ", ") + "."
		}
		return ""
	}
}
