// Package message words what is said to people and gets it to them. A message
// is worded and written to the outbox in the transaction of the change it tells
// of ([Queue]); a [Worker] claims it under a lease and gives it to the senders of
// its channel until they have taken it, it has expired, or nothing helps.
//
// It owns the templates, the outbox, the senders (SMTP, GOV.UK Notify, Twilio,
// webhook, file, log) and the callbacks that tell what became of a message. Whom
// one goes to, and that it is to be sent at all, is decided by its callers.
// What a message says is sealed while it waits and erased once it is sent: no
// code, address or number can be read in the database. Delivery is at least
// once: a worker that dies between sending and saying so sends again.
package message
