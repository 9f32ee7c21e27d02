package transfer

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"gatehouse/directory"
)

// roleCatalogue is the entry below which the directory of Delius describes roles;
// what stands there is nobody's.
const roleCatalogue = "ndrolecatalogue"

// defaultNumberAttribute is where the numeric id of a user is looked for: the
// directory of Delius itself keeps it in another database.
const defaultNumberAttribute = "employeenumber"

// maxRoles bounds the roles that are read together with their user, and maxRecord
// what they hold. The rest are records of their own.
const maxRoles = 10_000

// ldifReader reads the users of Delius and their roles, which are children of the
// users (NDRole, NDRoleAssociation). Other entries are passed over.
type ldifReader struct {
	entries *entryReader
	ahead   *entry // the entry after the user that was read
	ended   error

	numberAttribute string
	now             directory.Clock
}

func newLDIFReader(r *bufio.Reader, numberAttribute string, now directory.Clock) *ldifReader {
	if numberAttribute == "" {
		numberAttribute = defaultNumberAttribute
	}
	return &ldifReader{entries: newEntryReader(r), numberAttribute: strings.ToLower(numberAttribute), now: now}
}

func (l *ldifReader) take() (*entry, error) {
	if e := l.ahead; e != nil {
		l.ahead = nil
		return e, nil
	}
	if l.ended != nil {
		return nil, l.ended
	}
	e, err := l.entries.next()
	l.ended = err
	return e, err
}

func (l *ldifReader) next() (raw, error) {
	for {
		e, err := l.take()
		if err != nil {
			return raw{}, err
		}
		names, ok := splitDN(e.dn)
		switch {
		case e.faulty() || !ok:
			return e.refused(ownerID(names, 0)), nil
		case isRole(e):
			if role := roleOf(e, names); role != nil {
				return raw{line: e.line, size: e.size, decode: func() (any, error) { return role, nil }}, nil
			}
		case isPerson(e):
			roles, err := l.rolesBelow(names)
			if err != nil {
				return raw{}, err
			}
			return raw{line: e.line, size: e.size, decode: func() (any, error) { return l.user(e, names, roles) }}, nil
		}
	}
}

// refused is an entry that cannot be read, of whoever its name says.
func (e *entry) refused(owner string) raw {
	return raw{line: e.line, size: e.size, decode: func() (any, error) {
		return &UserRecord{ExternalID: owner}, cmp.Or(e.fault, errors.New("not a distinguished name"))
	}}
}

func isRole(e *entry) bool { return e.is("NDRoleAssociation") || e.is("NDRole") }

func isPerson(e *entry) bool {
	return e.is("NDUser") || e.is("inetOrgPerson") || e.is("person")
}

// roleOf reads a role; nil for one that is nobody's.
func roleOf(e *entry, names []string) *roleRecord {
	owner := ownerID(names, 1)
	if owner == "" || owner == roleCatalogue {
		return nil
	}
	name := e.first("cn")
	if name == "" {
		name = names[0]
	}
	return &roleRecord{ExternalID: owner, Role: name}
}

// ownerID is the external id of the user who has the n-th relative name.
func ownerID(names []string, n int) string {
	if n >= len(names) {
		return ""
	}
	return strings.ToLower(names[n])
}

// rolesBelow reads the roles that follow their user at once. Those that stand
// elsewhere are records of their own.
func (l *ldifReader) rolesBelow(user []string) ([]string, error) {
	var roles []string
	for size := 0; len(roles) < maxRoles && size < maxRecord; {
		e, err := l.take()
		if errors.Is(err, io.EOF) {
			return roles, nil
		}
		if err != nil {
			return nil, err
		}
		names, _ := splitDN(e.dn)
		role := roleOf(e, names)
		if e.faulty() || !isRole(e) || role == nil || len(names) != len(user)+1 || role.ExternalID != ownerID(user, 0) {
			l.ahead = e
			return roles, nil
		}
		roles = append(roles, role.Role)
		size += len(role.Role)
	}
	return roles, nil
}

// user reads a user, as the schema of Delius and the usual ones have them.
func (l *ldifReader) user(e *entry, names, roles []string) (any, error) {
	r := &UserRecord{
		ExternalID: ownerID(names, 0), ID: e.first("entryuuid"), Username: names[0],
		FirstName: e.first("givenname"), Surname: e.first("sn"), Name: e.first("displayname"),
		EmailAddress: e.first("mail"), MobileNumber: e.first("mobile"), PasswordHash: e.first("userpassword"),
		AuthType: e.first("gatehouseauthtype"), State: e.first("gatehousestate"), Language: e.first("preferredlanguage"),
		Locked: len(e.attrs["pwdaccountlockedtime"]) > 0, Roles: roles,
	}
	var faults []error
	if number := e.first(l.numberAttribute); number != "" {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			faults = append(faults, errField(l.numberAttribute, "Not a valid integer."))
		}
		r.Number = n
	}
	ends, err := generalizedTime(e.first("enddate", "orclactiveenddate"))
	faults = append(faults, err)
	if r.State == "" {
		r.State = string(directory.Active)
		if !ends.IsZero() && !ends.After(l.now()) {
			r.State = string(directory.Inactive)
		}
	}
	for _, t := range []struct {
		attribute string
		into      *time.Time
	}{
		{"createtimestamp", &r.CreatedAt}, {"pwdchangedtime", &r.PasswordChangedAt}, {"gatehouseemailvalidated", &r.EmailAccessValidatedAt},
	} {
		*t.into, err = generalizedTime(e.first(t.attribute))
		faults = append(faults, err)
	}
	return r, errors.Join(faults...)
}

// generalizedTime reads a date of RFC 4517, or of it the day alone.
func generalizedTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"20060102150405Z", "200601021504Z", "20060102"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("a date that is not one of RFC 4517")
}
