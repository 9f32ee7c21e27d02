-- +goose Up
-- What a person was last spoken to in, as a BCP 47 tag; '' when that is not known.
alter table users add column language text not null default '';

-- +goose Down
alter table users drop column language;
