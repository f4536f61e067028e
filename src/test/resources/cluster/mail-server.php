<?php
/**
 * A mail server that takes every mail and prints it: with STARTTLS, with TLS from the first byte (implicit) or without (none), and a login as "site" that
 * it demands. Its key is in the PKCS#12 file that is named.
 */
[, $port, $keys, $password, $tls] = $argv;
openssl_pkcs12_read(file_get_contents($keys), $pair, $password) || exit("The keys cannot be read.\n");
file_put_contents('/tmp/pair.pem', $pair['cert'] . $pair['pkey']);
$server = stream_socket_server("tcp://0.0.0.0:$port", $code, $message, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
	stream_context_create(['ssl' => ['local_cert' => '/tmp/pair.pem']])) ?: exit("$message\n");
echo "Waiting for mail.\n";
while (true) {
	$client = @stream_socket_accept($server, 3600);
	if ($client === false) {
		continue;
	}
	stream_set_timeout($client, 10);
	$say = static fn(string $line) => fwrite($client, "$line\r\n");
	$encrypted = $tls === 'implicit' && @stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_SERVER);
	if ($tls === 'implicit' && !$encrypted) {
		continue;
	}
	$may_log_in = $encrypted || $tls === 'none';
	$known      = false;
	$say('220 mail.example.com');
	while (($line = fgets($client)) !== false) {
		$command = strtoupper(strtok(rtrim($line), ' :'));
		if ($command === 'EHLO') {
			$say('250-mail.example.com');
			$say($may_log_in ? '250 AUTH PLAIN LOGIN' : '250 STARTTLS');
		} elseif ($command === 'STARTTLS' && $tls === 'starttls') {
			$say('220 go ahead');
			$may_log_in = @stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_SERVER);
		} elseif (str_starts_with($line, 'AUTH PLAIN')) {
			[, $user, $pass] = explode("\0", base64_decode(substr(rtrim($line), 11)));
			$known = $may_log_in && $user === 'site' && $pass === $password;
			$say($known ? '235 welcome' : '535 no');
		} elseif ($command === 'AUTH') {
			$say('334 VXNlcm5hbWU6');
			$user = base64_decode(fgets($client));
			$say('334 UGFzc3dvcmQ6');
			$known = base64_decode(fgets($client)) === $password && $user === 'site' && $may_log_in;
			$say($known ? '235 welcome' : '535 no');
		} elseif ($command === 'MAIL' && !$known) {
			$say('530 log in first');
		} elseif ($command === 'DATA') {
			$say('354 go on');
			while (($text = fgets($client)) !== false && rtrim($text) !== '.') {
				echo $text;
			}
			$say('250 taken');
		} elseif ($command === 'QUIT') {
			$say('221 bye');
			break;
		} else {
			$say('250 ok');
		}
	}
	fclose($client);
}
