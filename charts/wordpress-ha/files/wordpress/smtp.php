<?php
/** A must-use plugin: WordPress's own PHPMailer sends by the server of wordpress.smtp. Plugins for mail may still decide otherwise. */

(static function (): void {
	$smtp   = json_decode((string) file_get_contents(WORDPRESS_HA_SETTINGS), true, 16, JSON_THROW_ON_ERROR)['smtp'];
	$secret = static fn(string $name): string => rtrim((string) file_get_contents(WORDPRESS_HA_SECRETS . "/smtp-$name"), "\r\n");

	add_action('phpmailer_init', static function (PHPMailer\PHPMailer\PHPMailer $mailer) use ($smtp, $secret): void {
		$mailer->isSMTP();
		$mailer->Host       = $smtp['host'];
		$mailer->Port       = $smtp['port'];
		$mailer->SMTPSecure = ['starttls' => 'tls', 'implicit' => 'ssl', 'none' => ''][$smtp['tls']];
		// Neither more nor less than what the settings say: a server that suddenly offers no TLS gets no mail.
		$mailer->SMTPAutoTLS = false;
		// A server that does not answer must not hold the worker of a visitor's request for five minutes, as is PHPMailer's default.
		$mailer->Timeout  = 15;
		$mailer->SMTPAuth = $smtp['login'];
		if ($smtp['login']) {
			$mailer->Username = $secret('username');
			$mailer->Password = $secret('password');
		}
	});

	// WordPress makes this sender up; all others were named by somebody.
	add_filter('wp_mail_from', static fn(string $from): string => $smtp['from'] !== '' && str_starts_with($from, 'wordpress@') ? $smtp['from'] : $from);

	add_action('wp_mail_failed', static function (WP_Error $error) use ($smtp): void {
		error_log("mail: {$smtp['host']}:{$smtp['port']} did not take a mail: " . $error->get_error_message());
	});
})();
