package storage

import (
	"context"
	"time"

	"github.com/google/uuid"

	"gatehouse/oauth"
)

// UsedClients implements oauth.Store.
func (s OAuthGrants) UsedClients(ctx context.Context, userID uuid.UUID, now time.Time) ([]oauth.UsedClient, error) {
	var all []oauth.UsedClient
	err := s.DB.each(ctx, `
		with seen (provider_id) as (
			select c.provider_id from marketplace_consents c
			where c.given_by = $1 and c.ended_at is null and (c.expires_at is null or c.expires_at > $2)
			union
			select c.provider_id from users u join marketplace_users p on`+sameAddress+` join marketplace_consents c on c.user_id = p.id
			where u.id = $1 and c.ended_at is null and (c.expires_at is null or c.expires_at > $2))
		select clients.id, clients.name, clients.metadata, coalesce(consents.scopes, '[]'), coalesce(consents.updated_at, consents.created_at),
			(select max(coalesce(grants.refreshed_at, grants.created_at)) from grants where grants.user_id = $1 and grants.client_id = clients.id),
			(select max(session_clients.created_at) from session_clients join sessions on sessions.id = session_clients.session_id
				where sessions.user_id = $1 and session_clients.client_id = clients.id),
			clients.id in (select provider_id from seen)
		from clients left join consents on consents.client_id = clients.id and consents.user_id = $1
		where clients.id in (
			select provider_id from seen union select client_id from consents where user_id = $1 union select client_id from grants where user_id = $1
			union select session_clients.client_id from session_clients join sessions on sessions.id = session_clients.session_id where sessions.user_id = $1)
		order by clients.name, clients.id`,
		[]any{userID, now}, func(scan func(dest ...any) error) error {
			var c oauth.UsedClient
			err := scan(&c.ID, &c.Name.Plain, namesInto(&c.Name), listInto(&c.Scopes), timeInto(&c.AllowedAt), timeInto(&c.GrantedAt), timeInto(&c.VisitedAt), &c.SeesProfile)
			all = append(all, c)
			return err
		})
	return all, err
}
