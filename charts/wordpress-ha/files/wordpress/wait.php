<?php
/**
 * Before a WordPress pod serves: waits until the Job has installed the site and has brought the database's schema to at
 * least the version of this pod's core. So nobody ever meets WordPress's open installer, nor a half upgraded site.
 */

use WordPressHa\SiteDatabase;
use function WordPressHa\{say, wait_until};

require __DIR__ . '/database.php';
require '/usr/src/wordpress/wp-includes/version.php';

$database = new SiteDatabase();
// A database that comes up from nothing, with state transfers, takes minutes; then the pod's restart shows that something is wrong.
wait_until(1800, static function (callable $because) use ($database, $wp_db_version): ?bool {
	try {
		$progress = $database->progress();
	} catch (mysqli_sql_exception $error) {
		if (!SiteDatabase::isAbsent($error)) {
			throw $error;
		}
		$progress = null;
	}
	if ($progress !== 'done') {
		$because('The site is not installed yet; the install Job does that.');
		return null;
	}
	$version = (int) $database->option('db_version');
	if ($version < $wp_db_version) {
		$because("The database's schema has version $version, this core needs $wp_db_version; the install Job upgrades it.");
		return null;
	}
	return true;
});
say("The site is installed and its schema fits version $wp_db_version: starting.");
