-- +goose Up
-- What a partner calls its user (seed 003: associated_cp_user), for itself alone.
alter table marketplace_users add column partner_reference text;

-- +goose Down
alter table marketplace_users drop column partner_reference;
