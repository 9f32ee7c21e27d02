-- +goose Up
-- Searches for a part of an address or a name use trigrams where the server has
-- them. Where it has not, or does not let us, they read the whole table.
-- +goose StatementBegin
do $$
begin
    create extension if not exists pg_trgm;
    create index users_email_normalised_trgm_idx on users using gin (email_normalised gin_trgm_ops);
    create index organisations_name_folded_trgm_idx on organisations using gin (name_folded gin_trgm_ops);
    create index services_name_folded_trgm_idx on services using gin (name_folded gin_trgm_ops);
exception
    when insufficient_privilege or undefined_file or feature_not_supported or undefined_object then
        raise notice 'pg_trgm is not available: searches will read whole tables';
end;
$$;
-- +goose StatementEnd

-- +goose Down
drop index if exists services_name_folded_trgm_idx;
drop index if exists organisations_name_folded_trgm_idx;
drop index if exists users_email_normalised_trgm_idx;
