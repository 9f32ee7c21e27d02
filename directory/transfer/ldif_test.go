package transfer_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"gatehouse/directory"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// delius is a tree as slapcat writes one: folded and encoded values, comments, roles
// beside and away from their users, and what is nobody's.
var delius = `version: 1
# The tree.
dn: ou=Users,dc=moj,dc=com
objectClass: organizationalUnit
ou: Users

dn: cn=ndRoleCatalogue,ou=Users,dc=moj,dc=com
objectClass: NDRoleCatalogue

dn: cn=ABC001,cn=ndRoleCatalogue,ou=Users,dc=moj,dc=com
objectClass: NDRole
cn: ABC001

dn: cn=Ann.Person,ou=Users,dc=moj,dc=com
objectClass: top
objectClass: inetOrgPerson
objectClass: NDUser
cn: Ann.Person
givenName: Ann
sn:: ` + base64.StdEncoding.EncodeToString([]byte("Pérson")) + `
mail: ann@example.
 gov.uk
employeeNumber: 2500000001
userPassword:: ` + base64.StdEncoding.EncodeToString([]byte("{ssha}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0")) + `
endDate: 20990101000000Z

dn: cn=ABC001,cn=Ann.Person,ou=Users,dc=moj,dc=com
objectClass: NDRoleAssociation
cn: ABC001
aliasedObjectName: cn=ABC001,cn=ndRoleCatalogue,ou=Users,dc=moj,dc=com

dn: cn=gone\, bob,ou=Users,dc=moj,dc=com
objectClass: NDUser
givenName: Bob
sn: Gone

dn: cn=bob,ou=Users,dc=moj,dc=com
objectClass: NDUser
givenName: Bob
sn: Gone
endDate: 20200101000000Z
jpegPhoto:< file:///etc/passwd

dn: cn=cyd,ou=Users,dc=moj,dc=com
objectClass: NDUser
givenName: Cyd
sn: Gone
orclActiveEndDate: 20200101000000Z
pwdAccountLockedTime: 000001010000Z

dn: cn=ABC002,cn=Ann.Person,ou=Users,dc=moj,dc=com
objectClass: NDRoleAssociation
cn: ABC002

dn: cn=ABC002,cn=nobody,ou=Users,dc=moj,dc=com
objectClass: NDRoleAssociation
cn: ABC002
`

// TestDeliusUsersComeWithTheirRoles imports a tree twice: the second time nothing changes.
func TestDeliusUsersComeWithTheirRoles(t *testing.T) {
	o := transfer.Options{Format: transfer.LDIF}
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		got, reasons := r.run(r.importer("delius"), "d", delius, o)
		want := []string{
			"32 gone, bob: username: Not a valid username",
			"37 bob: jpegphoto: values at other addresses are not read",
			"55 nobody: roles: Of a user who is not here.",
		}
		if got != "created 2, updated 1, unchanged 0, rejected 3 of 6" || !slices.Equal(reasons, want) {
			t.Errorf("%s\n%s", got, strings.Join(reasons, "\n"))
		}
		ann, cyd := r.user("ANN.PERSON"), r.user("cyd")
		if ann.Number != 2500000001 || ann.Username != "Ann.Person" || ann.Surname != "Pérson" || ann.EmailAddress != "ann@example.gov.uk" ||
			!slices.Equal(ann.Roles, []string{"ABC001", "ABC002"}) || !ann.Enabled() {
			t.Errorf("%+v", ann)
		}
		hash, err := storage.Authn{DB: s.DB}.Password(t.Context(), ann.ID)
		if err != nil || hash != "{SSHA}MkiT9VJwrHKOcy1IJq6TFfEeuHBzYWx0" {
			t.Errorf("hash %q, %v", hash, err)
		}
		if cyd.State != directory.Inactive || !cyd.Locked() || cyd.Number <= 2500000001 {
			t.Errorf("%+v", cyd)
		}
		if got, _ := r.run(r.importer("delius"), "d", delius, o); got != "created 0, updated 0, unchanged 3, rejected 3 of 6" {
			t.Error(got)
		}
	})
}
