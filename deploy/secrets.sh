#!/bin/sh
# Makes ./secrets for compose.yaml: passwords and keys that nobody knew before, in files that only user 65532 reads. What is
# there already stays. The addresses in secrets/orgdesk.toml are examples: put yours in.
set -eu
umask 077

[ ! -e secrets ] || {
    echo 'secrets is there already, and stays as it is' >&2
    exit 1
}
word() { openssl rand -hex 24; }
postgres=$(word) owner=$(word) service=$(word) access=$(word) secret=$(word)

mkdir secrets.new
cd secrets.new
printf '%s' "$postgres" >postgres_password
cat >roles.sql <<END
CREATE ROLE orgdesk_owner LOGIN PASSWORD '$owner';
CREATE ROLE orgdesk_service LOGIN PASSWORD '$service';
ALTER DATABASE orgdesk OWNER TO orgdesk_owner;
CREATE EXTENSION IF NOT EXISTS hstore;
END
cat >migrate.toml <<END
database_url = "postgres://orgdesk_service:$service@postgres:5432/orgdesk"
migration_url = "postgres://orgdesk_owner:$owner@postgres:5432/orgdesk"
END
cat >s3.json <<END
{ "identities": [{ "name": "orgdesk", "credentials": [{ "accessKey": "$access", "secretKey": "$secret" }], "actions": ["Admin"] }] }
END
cat >orgdesk.toml <<END
organization_url = "https://{domain}.example.com"
public_url = "https://desk.example.com"
mail_from = "Orgdesk <no-reply@example.com>"
smtp_url = "smtp://127.0.0.1:1025?tls=none"

database_url = "postgres://orgdesk_service:$service@postgres:5432/orgdesk"
secret = "$(openssl rand -base64 32)"
key_ring = "first:$(openssl rand -base64 32)"

storage = "s3"
storage_bucket = "orgdesk"
storage_region = "ap-northeast-2"
storage_endpoint = "http://127.0.0.1:8333"
storage_access_key = "$access"
storage_secret_key = "$secret"
END
cd ..
# Only root gives files away; whoever is not has to see to it himself that user 65532 reads them.
[ "$(id -u)" != 0 ] || chown -R 65532:65532 secrets.new
mv secrets.new secrets
