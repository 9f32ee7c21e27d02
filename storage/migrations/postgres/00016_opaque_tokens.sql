-- +goose Up
-- A client's own token has no grant, and needs no place in the index of grants.
drop index access_tokens_grant_id_idx;
create index access_tokens_grant_id_idx on access_tokens (grant_id) where grant_id is not null;

-- +goose Down
drop index access_tokens_grant_id_idx;
create index access_tokens_grant_id_idx on access_tokens (grant_id);
