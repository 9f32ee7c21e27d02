// Package transfer moves users, organisations, services and the users of a
// marketplace in from other systems, and out again, in files: JSON lines, CSV, and LDIF as the directory behind the
// Delius API keeps its users.
//
// It owns the formats, the pipeline that reads and checks a file of any size in
// little memory, and [Importer], which writes batch after batch so that an import
// may be killed and started again, and says of every record it refuses why. What
// is a valid user or organisation is package directory's to say, what is a
// password hash that can be checked is package authn's. It knows no SQL and no HTTP.
package transfer
