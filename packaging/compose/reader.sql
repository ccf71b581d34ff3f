-- What the dashboards over the database read, and nothing else: not the keys, tokens and settings of the hub.
SELECT 'CREATE ROLE arki_reader LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'arki_reader') \gexec
ALTER ROLE arki_reader WITH PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 20;
-- a query that somebody wrote by hand shall not stop the hub
ALTER ROLE arki_reader SET statement_timeout = '30s';
ALTER ROLE arki_reader SET default_transaction_read_only = on;
GRANT USAGE ON SCHEMA public TO arki_reader;
GRANT SELECT ON agent, agent_latest, metric_set, sample, event, prediction, alert, sandbox_run TO arki_reader;
