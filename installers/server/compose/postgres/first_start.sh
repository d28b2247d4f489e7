#!/bin/sh
# PostgreSQL's image runs this once, when the volume is empty: the server's database, and a user for it who is no superuser.
set -eu

PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/database_password}
export PASSWORD_FILE
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${PGUSER:-postgres}" --dbname=postgres <<'SQL'
\set password `cat "$PASSWORD_FILE"`
CREATE ROLE ai_popup LOGIN PASSWORD :'password';
-- By this role rows are kept apart; the server takes it for a member's request.
CREATE ROLE ai_popup_member NOLOGIN;
GRANT ai_popup_member TO ai_popup WITH ADMIN OPTION;
CREATE DATABASE ai_popup OWNER ai_popup;
REVOKE ALL ON DATABASE ai_popup FROM PUBLIC;
\connect ai_popup
CREATE EXTENSION vector;
SQL
