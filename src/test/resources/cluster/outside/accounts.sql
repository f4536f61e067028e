-- Schemas and accounts that are not as WordPress needs them.
CREATE DATABASE latin CHARACTER SET latin1;
GRANT ALL ON latin.* TO 'wordpress'@'%';
GRANT ALL ON nowhere.* TO 'wordpress'@'%';
CREATE USER 'reader'@'%' IDENTIFIED BY 'a-password';
GRANT SELECT ON wordpress.* TO 'reader'@'%';
-- The site's own, which nobody uses without TLS.
CREATE USER 'site'@'%' IDENTIFIED BY 'a-password' REQUIRE SSL;
GRANT ALL ON wordpress.* TO 'site'@'%';
