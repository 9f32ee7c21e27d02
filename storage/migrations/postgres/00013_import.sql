-- +goose Up
-- Imports of files: how far each has come, so that one that was interrupted goes
-- on where it was. The digest is the SHA-256 of the file.
create table imports (
    source text not null,
    digest text not null,
    records bigint not null,
    created bigint not null,
    updated bigint not null,
    unchanged bigint not null,
    rejected bigint not null,
    started_at bigint not null,
    updated_at bigint not null,
    finished_at bigint,
    primary key (source, digest)
);
create index imports_updated_at_idx on imports (updated_at);

-- Where the records of other systems have gone. The digest is that of the record
-- as it was last imported: one that is the same again is left alone.
create table imported_records (
    source text not null,
    kind text not null check (kind in ('user', 'organisation', 'service', 'membership', 'marketplace_user')),
    external_id text not null,
    subject_id uuid not null,
    digest bytea not null,
    imported_at bigint not null,
    primary key (source, kind, external_id)
);

-- +goose Down
drop table imported_records;
drop table imports;
