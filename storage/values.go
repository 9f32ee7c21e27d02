package storage

import (
	"encoding/json"
	"fmt"
	"time"
)

// bind turns Go values into what both drivers store alike.
func bind(args []any) []any {
	bound := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case time.Time:
			bound[i] = micros(v)
		case []string:
			bound[i] = jsonList(v)
		default:
			bound[i] = a
		}
	}
	return bound
}

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func jsonList(v []string) string {
	if len(v) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(v) // strings always encode
	return string(b)
}

// timeInto scans microseconds into t; NULL is the zero time.
func timeInto(t *time.Time) *timeScanner { return &timeScanner{t} }

type timeScanner struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s *timeScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("scan time: unexpected %T", src)
	}
	return nil
}

// listInto scans a JSON array of strings.
func listInto(l *[]string) *listScanner { return &listScanner{l} }

type listScanner struct{ l *[]string }

// Scan implements sql.Scanner.
func (s *listScanner) Scan(src any) error {
	*s.l = nil
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		if v == "[]" {
			return nil
		}
		return json.Unmarshal([]byte(v), s.l)
	case []byte:
		return json.Unmarshal(v, s.l)
	default:
		return fmt.Errorf("scan list: unexpected %T", src)
	}
}

// nullable turns an empty string into NULL.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stringInto scans a nullable text; NULL is the empty string.
func stringInto(s *string) *stringScanner { return &stringScanner{s} }

type stringScanner struct{ s *string }

// Scan implements sql.Scanner.
func (s *stringScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.s = ""
	case string:
		*s.s = v
	case []byte:
		*s.s = string(v)
	default:
		return fmt.Errorf("scan text: unexpected %T", src)
	}
	return nil
}

// nullableNumber turns zero into NULL.
func nullableNumber(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// numberInto scans a nullable integer; NULL is zero.
func numberInto(n *int64) *numberScanner { return &numberScanner{n} }

type numberScanner struct{ n *int64 }

// Scan implements sql.Scanner.
func (s *numberScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.n = 0
	case int64:
		*s.n = v
	default:
		return fmt.Errorf("scan number: unexpected %T", src)
	}
	return nil
}
