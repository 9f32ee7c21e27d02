package transfer

import (
	"bufio"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
)

// Writer writes records in one of the formats. Close writes what is left.
type Writer interface {
	Write(record any) error
	Close() error
}

// NewWriter returns the writer of a format. Kind is that of every record of a CSV
// file. Base is the distinguished name that LDIF users stand below.
func NewWriter(w io.Writer, format Format, kind, base string) (Writer, error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	switch format {
	case JSONLines:
		return &jsonWriter{buffered}, nil
	case CSV:
		record, err := newRecord(kind)
		if err != nil {
			return nil, err
		}
		rows := csv.NewWriter(buffered)
		return &csvWriter{buffered, rows}, rows.Write(Columns(record))
	case LDIF:
		_, err := buffered.WriteString("version: 1\n")
		return &ldifWriter{w: buffered, base: base}, err
	}
	return nil, errors.New("in what format? Say --format jsonl, csv or ldif")
}

type jsonWriter struct{ w *bufio.Writer }

// Write implements Writer. What is not known is left out.
func (j *jsonWriter) Write(record any) error {
	if err := jsonv2.MarshalWrite(j.w, record, jsonv2.OmitZeroStructFields(true)); err != nil {
		return err
	}
	return j.w.WriteByte('\n')
}

// Close implements Writer.
func (j *jsonWriter) Close() error { return j.w.Flush() }

type csvWriter struct {
	w    *bufio.Writer
	rows *csv.Writer
}

// Write implements Writer.
func (c *csvWriter) Write(record any) error {
	value := reflect.ValueOf(record).Elem()
	var row []string
	for _, field := range cells(record) {
		cell, err := cellOf(value.FieldByIndex(field.Index))
		if err != nil {
			return err
		}
		row = append(row, cell)
	}
	return c.rows.Write(row)
}

// Close implements Writer.
func (c *csvWriter) Close() error {
	c.rows.Flush()
	return errors.Join(c.rows.Error(), c.w.Flush())
}

// cellOf is a field as setCell reads it.
func cellOf(field reflect.Value) (string, error) {
	if field.IsZero() {
		return "", nil
	}
	switch v := field.Interface().(type) {
	case []string:
		if strings.Contains(strings.Join(v, ""), listSeparator) {
			return "", fmt.Errorf("a value with %s in it does not go into a list of CSV", listSeparator)
		}
		return strings.Join(v, listSeparator), nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case *time.Time:
		return v.Format(time.RFC3339Nano), nil
	case json.RawMessage:
		return string(v), nil
	case []Place, []ConsentRecord:
		text, err := json.Marshal(v)
		return string(text), err
	}
	return fmt.Sprint(reflect.Indirect(field).Interface()), nil
}

// ldifWriter writes users of the Delius API with their roles below them.
type ldifWriter struct {
	w    *bufio.Writer
	base string
}

// Write implements Writer. A user without a username has no place in the tree.
func (l *ldifWriter) Write(record any) error {
	r, ok := record.(*UserRecord)
	if !ok || r.Username == "" {
		return nil
	}
	dn := "cn=" + escapeDN(r.Username) + "," + l.base
	l.entry(dn, []attribute{
		{"objectClass", "top"}, {"objectClass", "inetOrgPerson"}, {"objectClass", "NDUser"},
		{"cn", r.Username}, {"givenName", r.FirstName}, {"sn", r.Surname}, {"displayName", r.Name},
		{"mail", r.EmailAddress}, {"mobile", r.MobileNumber}, {"employeeNumber", number(r.Number)},
		{"userPassword", r.PasswordHash}, {"entryUUID", r.ID}, {"createTimestamp", generalized(r.CreatedAt)},
		{"pwdChangedTime", generalized(r.PasswordChangedAt)}, {"pwdAccountLockedTime", lockedTime(r.Locked)},
		{"preferredLanguage", r.Language}, {"gatehouseEmailValidated", generalized(r.EmailAccessValidatedAt)},
		{"gatehouseAuthType", r.AuthType}, {"gatehouseState", r.State},
	})
	for _, role := range r.Roles {
		l.entry("cn="+escapeDN(role)+","+dn, []attribute{{"objectClass", "NDRoleAssociation"}, {"cn", role}})
	}
	return nil // a fault stays with the buffer, and Close tells it
}

// Close implements Writer.
func (l *ldifWriter) Close() error { return l.w.Flush() }

type attribute struct{ name, value string }

func (l *ldifWriter) entry(dn string, all []attribute) {
	fmt.Fprint(l.w, "\n", attributeLine("dn", dn))
	for _, a := range all {
		if a.value != "" {
			fmt.Fprint(l.w, attributeLine(a.name, a.value))
		}
	}
}

// attributeLine encodes what is no SAFE-STRING of RFC 2849.
func attributeLine(name, value string) string {
	safe := !strings.ContainsAny(value[:1], " :<") && !strings.HasSuffix(value, " ") &&
		!strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
	if safe {
		return name + ": " + value + "\n"
	}
	return name + ":: " + base64.StdEncoding.EncodeToString([]byte(value)) + "\n"
}

// escapeDN escapes a value of a distinguished name (RFC 4514, 2.4).
func escapeDN(value string) string {
	var b strings.Builder
	for n, r := range value {
		if strings.ContainsRune(`,+"\<>;=`, r) || n == 0 && (r == ' ' || r == '#') || r == ' ' && n == len(value)-1 {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func generalized(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("20060102150405.999999Z")
}

// lockedTime is that of an account that stays locked until somebody unlocks it.
func lockedTime(locked bool) string {
	if locked {
		return "000001010000Z"
	}
	return ""
}
