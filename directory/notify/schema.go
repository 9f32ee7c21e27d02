package notify

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// schema is the part of JSON Schema that the Notify API validates with. Its
// messages are those of Python's jsonschema, worded by [schemaFault].
type schema struct {
	types     []string // any when empty
	enum      []string
	nonEmpty  bool                     // a string with something to see, an array with an item
	maxLength int                      // in characters; 0 for any
	uuid      bool                     // every fault is worded "is not a valid UUID"
	format    func(text string) string // returns what is wrong with a string, or ""

	items      *schema
	properties []property // in the order in which their faults are told
	required   []string
	strict     bool // no other property may be there
	// minProperties is how many must be there at least.
	minProperties int
}

type property struct {
	name string
	schema
}

// validate returns nil or the shape E3 with every fault of v, in upstream's
// order: properties, then what is missing, then what should not be there.
func (s *schema) validate(v any) error {
	var messages []string
	s.check(v, func(field, text string) {
		if field != "" {
			text = field + " " + text
		}
		if !slices.Contains(messages, text) {
			messages = append(messages, text)
		}
	})
	if messages == nil {
		return nil
	}
	return schemaFault(messages)
}

func (s *schema) check(v any, report func(field, text string)) {
	if s.uuid {
		if !isUUID(v) && (v != nil || !slices.Contains(s.types, "null")) {
			report("", "is not a valid UUID")
		}
		return
	}
	if len(s.types) > 0 && !slices.ContainsFunc(s.types, func(t string) bool { return isType(v, t) }) {
		report("", show(v)+" is not of type "+strings.Join(s.types, ", "))
	}
	if text, ok := v.(string); s.enum != nil && (!ok || !slices.Contains(s.enum, text)) {
		report("", show(v)+" is not one of ["+strings.Join(s.enum, ", ")+"]")
	}
	switch v := v.(type) {
	case string:
		s.checkString(v, report)
	case []any:
		s.checkArray(v, report)
	case object:
		s.checkObject(v, report)
	}
}

func (s *schema) checkString(v string, report func(field, text string)) {
	if s.nonEmpty && strings.TrimSpace(v) == "" {
		report("", show(v)+" should be non-empty")
	}
	if s.format != nil {
		if fault := s.format(v); fault != "" {
			report("", fault)
		}
	}
	if s.maxLength > 0 && utf8.RuneCountInString(v) > s.maxLength {
		report("", show(v)+" is too long")
	}
}

func (s *schema) checkArray(v []any, report func(field, text string)) {
	if s.nonEmpty && len(v) == 0 {
		report("", "[] should be non-empty")
	}
	if s.items == nil {
		return
	}
	for _, item := range v {
		// Upstream names only the first element of the path.
		s.items.check(item, func(_, text string) { report("", text) })
	}
}

func (s *schema) checkObject(v object, report func(field, text string)) {
	for _, p := range s.properties {
		if value, ok := v.get(p.name); ok {
			p.check(value, func(_, text string) { report(p.name, text) })
		}
	}
	for _, name := range s.required {
		if _, ok := v.get(name); !ok {
			report("", name+" is a required property")
		}
	}
	if unexpected := s.unexpected(v); s.strict && len(unexpected) > 0 {
		verb := " was"
		if len(unexpected) > 1 {
			verb = " were"
		}
		report("", "Additional properties are not allowed ("+strings.Join(unexpected, ", ")+verb+" unexpected)")
	}
	switch {
	case len(v) >= s.minProperties:
	case s.minProperties == 1:
		report("", "{} should be non-empty")
	default:
		report("", show(v)+" does not have enough properties")
	}
}

func (s *schema) unexpected(v object) []string {
	var names []string
	for _, m := range v {
		if !slices.ContainsFunc(s.properties, func(p property) bool { return p.name == m.name }) {
			names = append(names, show(m.name))
		}
	}
	slices.Sort(names)
	return names
}

func isType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case number:
		return name == "number" || name == "integer" && v.isWhole()
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}

// isWhole reports whether the number is an integer for JSON Schema, as 1.0 is.
func (n number) isWhole() bool {
	if n.isInteger() {
		return true
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return err == nil && f == math.Trunc(f)
}

// isUUID reports whether a value is a UUID in the form with hyphens, the only
// one the dialect knows.
func isUUID(v any) bool {
	text, ok := v.(string)
	return ok && validID(text)
}

func validID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }
