-- +goose Up
-- SQLite has no index for a part of a text that LIKE would use: searches read the
-- index of the column, which is enough for what one file holds.
create index services_name_folded_idx on services (name_folded, id);

-- +goose Down
drop index services_name_folded_idx;
