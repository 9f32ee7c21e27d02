-- +goose Up
-- SQLite has no index for a part of a text that LIKE would use: searches read the
-- index of the column, which is enough for what one file holds.
select 1;

-- +goose Down
select 1;
