<?php
/** Renews the install lock of the holder named by the argument, until standard input closes, that is until install.php has ended. */

use WordPressHa\SiteDatabase;
use function WordPressHa\say;

require __DIR__ . '/database.php';

$database = new SiteDatabase();
stream_set_blocking(STDIN, false);
while (true) {
	$read = [STDIN];
	$none = null;
	if (stream_select($read, $none, $none, intdiv(SiteDatabase::LOCK_SECONDS, 5)) && fread(STDIN, 1) === '' && feof(STDIN)) {
		exit(0);
	}
	try {
		if ($database->lock($argv[1]) !== $argv[1]) {
			say('The lock belongs to somebody else now.');
			exit(1);
		}
	} catch (mysqli_sql_exception $error) {
		say('The lock could not be renewed, trying again: ' . $error->getMessage() . '.');
	}
}
