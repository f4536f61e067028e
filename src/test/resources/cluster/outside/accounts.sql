-- Schemas and accounts that are not as WordPress needs them.
CREATE DATABASE latin CHARACTER SET latin1;
GRANT ALL ON latin.* TO 'wordpress'@'%';
GRANT ALL ON nowhere.* TO 'wordpress'@'%';
CREATE USER 'reader'@'%' IDENTIFIED BY 'a-password';
GRANT SELECT ON wordpress.* TO 'reader'@'%';
