package transfer_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"gatehouse/authn"
	"gatehouse/directory/transfer"
	"gatehouse/storage"
	"gatehouse/storage/storagetest"
)

// foreignHashes are of "pässword one", by how LDAP servers write them.
var foreignHashes = []string{
	"{SSHA}r+sJdS0SkNOdQx5jfb/3aIzMhyBzYWx0c2FsdA==",
	"{SSHA256}ME7X0JxGYW+9xsrPiKLFQPh5PtMeMF3QhmJAx10LIkxzYWx0c2FsdA==",
	"{SSHA512}9x0hKOJhnYr5NCeW5h62s+dM7A1hp84GK0Qw0hbrUT6rNlH1Qiqw6NrkF/Uw6xzebLfMrvPGC5Rvlho/xHrwynNhbHRzYWx0",
	"{CRYPT}$6$rounds=1000$saltsalt$ulUtcLieFds0qigxrmfmYMWJaD5bhtEir31fZJ0YWBoHw305RH5uI29NdxV4wP/EzCufqNshWWUTtjUwASOuU/",
	"{BCRYPT}$2b$04$abcdefghijklmnopqrstuuvi37/F0u8u2P2bfBLR3equA3JR10iIi",
	"$scrypt$ln=8,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$V4rFrJjCAD0SbWc+qRhNCUBCIOwrWgXeHlVi5UKiPKg",
	"$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$op2KFu1/XP2/vffZrBdmTusZbcH5mpkfAboTFiTeVpQ",
	"pbkdf2_sha256$1000$saltsaltsalt$65nSh30P6sK6RHwVGXUDmTsg1CN9DGQsV9uQqV38PYM=",
}

// treeUsers is more where it may take its time: make bench-import.
var treeUsers = flag.Int("users", 2000, "users in the LDIF of mixed hashes")

// tree is a directory of n users with the hashes in turn, each with a role below.
func tree(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "dn: cn=user%d,ou=Users,dc=moj\nobjectClass: NDUser\ngivenName: User\nsn: Number%d\nmail: user%d@example.gov.uk\nuserPassword: %s\n\n"+
			"dn: cn=ABC001,cn=user%d,ou=Users,dc=moj\nobjectClass: NDRoleAssociation\ncn: ABC001\n\n", i, i, i, foreignHashes[i%len(foreignHashes)], i)
	}
	return b.String()
}

// TestEachKindOfHashSignsInAndIsReplaced imports an LDIF of mixed hashes: with each
// kind somebody signs in, and has a hash of ours then, which no later import replaces.
func TestEachKindOfHashSignsInAndIsReplaced(t *testing.T) {
	users := *treeUsers
	text := tree(users)
	storagetest.Each(t, func(t *testing.T, s *storage.Stores) {
		r := newRig(t, s)
		o := transfer.Options{Format: transfer.LDIF}
		if got, reasons := r.run(r.importer("delius"), "d", text, o); got != fmt.Sprintf("created %d, updated 0, unchanged 0, rejected 0 of %[1]d", users) {
			t.Fatal(got, reasons)
		}
		passwords := storage.Authn{DB: s.DB}
		for i, hash := range foreignHashes {
			name := fmt.Sprintf("user%d", i)
			a := authn.Attempt{Front: authn.Legacy, Factor: authn.Password, Identifier: strings.ToUpper(name), Secret: "pässword one"}
			if _, err := r.authn.Authenticate(t.Context(), a); err != nil {
				t.Fatalf("%s: %v", hash, err)
			}
			if now, err := passwords.Password(t.Context(), r.user(name).ID); err != nil || !strings.HasPrefix(now, "$argon2id$") {
				t.Errorf("%s became %s, %v", hash, now, err)
			}
		}
		changed := strings.ReplaceAll(text, "sn: Number0\n", "sn: Newname\n")
		if got, reasons := r.run(r.importer("delius"), "d2", changed, o); got != fmt.Sprintf("created 0, updated 1, unchanged %d, rejected 0 of %d", users-1, users) {
			t.Error(got, reasons)
		}
		u := r.user("user0")
		if now, err := passwords.Password(t.Context(), u.ID); err != nil || u.Surname != "Newname" || !strings.HasPrefix(now, "$argon2id$") {
			t.Errorf("%s: the import replaced a password of here with %s, %v", u.Surname, now, err)
		}
	})
}
