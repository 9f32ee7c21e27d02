package main

import (
	"github.com/google/uuid"

	"gatehouse/authn/message"
	"gatehouse/internal/web"
	"gatehouse/oauth"
	"gatehouse/storage"
)

// wireEndings connects what ends with sessions and people: package authn ends
// sessions, oauth what they led to, and the worker tells the services.
func (a *app) wireEndings(grants storage.OAuthGrants) {
	endings := &oauth.Endings{Store: grants, Clients: a.clients, Notices: a.queue, Shares: a.market, Clock: a.clock.Now, NewID: uuid.New}
	a.authn.Revoker, a.server.Endings = endings, endings
	networks, _ := a.config.outboundNetworks() // checked with the configuration
	// Connections of their own: services that do not answer must not hold up
	// the fetching of keys.
	outbound := &web.Outbound{Allowed: networks}
	a.worker.Senders[message.Logout] = []message.Sender{&oauth.LogoutSender{
		Issuer: a.config.Issuer, Clients: a.clients, Keys: a.keys, HTTP: outbound.Client(), Clock: a.clock.Now, NewID: uuid.New,
	}}
}
