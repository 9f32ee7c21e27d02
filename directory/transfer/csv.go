package transfer

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// csvReader reads rows of one kind of record under a row of column names.
type csvReader struct {
	rows   *csv.Reader
	budget *budgetReader
	kind   string
	names  []string
	fields [][]int // of each column, the field of the record
}

// budgetReader ends when more was read for one record than a record may have.
type budgetReader struct {
	r    io.Reader
	left int
}

// Read implements io.Reader.
func (b *budgetReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRecordTooLong
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}

func openCSV(r io.Reader, kind string) (reader, error) {
	record, err := newRecord(kind)
	if err != nil {
		return nil, err
	}
	budget := &budgetReader{r: r, left: maxRecord}
	rows := csv.NewReader(budget)
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read the row of column names: %w", err)
	}
	c := &csvReader{rows: rows, budget: budget, kind: kind, names: header}
	columns, fields := Columns(record), cells(record)
	for n, name := range header {
		place := slices.Index(columns, strings.TrimSpace(name))
		if place < 0 {
			return nil, fmt.Errorf("there is no column %q for a record of this kind; there are %s", name, strings.Join(columns, ", "))
		}
		if slices.Contains(header[:n], name) {
			return nil, fmt.Errorf("column %q is there twice", name)
		}
		c.fields = append(c.fields, fields[place].Index)
	}
	return c, nil
}

// Columns are the columns of a CSV file of records such as this one, in order.
func Columns(record any) []string {
	var names []string
	for _, field := range cells(record) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// cells are the fields of a record that have columns: all but the type, which is
// the same in each row, with those of what it embeds.
func cells(record any) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(reflect.TypeOf(record).Elem()), func(f reflect.StructField) bool {
		return f.Anonymous || f.Name == "Type"
	})
}

func (c *csvReader) next() (raw, error) {
	c.budget.left = maxRecord
	row, err := c.rows.Read()
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return raw{line: parse.StartLine, decode: func() (any, error) { return c.whose(row), fmt.Errorf("malformed row: %w", parse.Err) }}, nil
	}
	if err != nil {
		return raw{}, err
	}
	line, _ := c.rows.FieldPos(0)
	size := 0
	for _, cell := range row {
		size += len(cell)
	}
	return raw{line: line, size: size, decode: func() (any, error) { return c.decode(row) }}, nil
}

// whose is a record with nothing but the external id of a row that is too short or too long.
func (c *csvReader) whose(row []string) any {
	record, _ := newRecord(c.kind) // it was made before
	if at := slices.Index(c.names, "external_id"); at >= 0 && at < len(row) {
		reflect.ValueOf(record).Elem().FieldByName("ExternalID").SetString(row[at])
	}
	return record
}

func (c *csvReader) decode(row []string) (any, error) {
	record, err := newRecord(c.kind)
	if err != nil {
		return nil, err
	}
	value := reflect.ValueOf(record).Elem()
	var faults []error
	for n, cell := range row {
		if cell == "" {
			continue
		}
		if err := setCell(value.FieldByIndex(c.fields[n]), cell); err != nil {
			faults = append(faults, errField(c.names[n], err.Error()))
		}
	}
	return record, errors.Join(faults...)
}

// listSeparator stands between the values of a list in a cell.
const listSeparator = "|"

var errNotText = errors.New("not text in UTF-8")

const notTime = "Not a time such as 2026-04-01T09:30:00Z."

// setCell writes a cell into a field: text as it is, lists of words with | between
// them, dates as RFC 3339 has them, and places as JSON.
func setCell(field reflect.Value, cell string) error {
	if !utf8.ValidString(cell) {
		return errNotText
	}
	switch into := field.Addr().Interface().(type) {
	case *string:
		*into = cell
		return nil
	case **string:
		*into = &cell
		return nil
	case *[]string:
		*into = strings.Split(cell, listSeparator)
		return nil
	case *time.Time:
		at, err := time.Parse(time.RFC3339Nano, cell)
		*into = at
		return orReason(err, notTime)
	case **time.Time:
		at, err := time.Parse(time.RFC3339Nano, cell)
		*into = &at
		return orReason(err, notTime)
	case *json.RawMessage:
		*into = json.RawMessage(cell)
		return nil
	case *[]ConsentRecord:
		return orReason(json.Unmarshal([]byte(cell), into), `Not a list such as [{"cp_id": "…"}].`)
	case *[]Place:
		return orReason(json.Unmarshal([]byte(cell), into), `Not a list such as [{"of": "name", "permissions": ["…"]}].`)
	}
	return setValue(field, cell)
}

// setValue writes numbers and booleans, and pointers to them.
func setValue(field reflect.Value, cell string) error {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	if field.Kind() == reflect.Bool {
		yes, err := strconv.ParseBool(strings.ToLower(cell))
		field.SetBool(yes)
		return orReason(err, "Not true or false.")
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	field.SetInt(n)
	return orReason(err, "Not a valid integer.")
}

// orReason replaces an error, which may quote the cell.
func orReason(err error, reason string) error {
	if err != nil {
		return errors.New(reason)
	}
	return nil
}
