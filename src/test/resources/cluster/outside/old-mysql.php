<?php
/** Greets as a MySQL of long ago and believes every account: `php old-mysql.php 0.0.0.0:3310`. It says OK to whatever it is asked. */

$packet = static fn(int $number, string $content): string => substr(pack('V', strlen($content)), 0, 3) . chr($number) . $content;
$ok     = "\0\0\0\2\0\0\0";
// Protocol 10, version, connection, salt, capabilities (4.1 protocol, secure connection, schema at login), utf8, autocommit, salt.
$greeting = "\x0a5.1.73-community\0" . pack('V', 1) . "12345678\0" . pack('v', 0x820d | 0x0008) . "\x21" . pack('v', 2) . pack('v', 0) . "\x15"
	. str_repeat("\0", 10) . "123456789012\0";

$server = stream_socket_server('tcp://' . $argv[1]) ?: exit(1);
while (true) {
	$client = @stream_socket_accept($server, -1);
	if ($client === false) {
		continue;
	}
	stream_set_timeout($client, 5);
	fwrite($client, $packet(0, $greeting));
	while (strlen($head = (string) fread($client, 4)) === 4) {
		fread($client, max(1, unpack('V', substr($head, 0, 3) . "\0")[1]));
		fwrite($client, $packet(ord($head[3]) + 1, $ok));
	}
	fclose($client);
}
