<?php
/**
 * Prints a patch with eight new keys and salts for WordPress's Secret, and nothing else: pipe it to "kubectl patch". Pods read
 * them at each request, so nothing has to be restarted; everybody who is logged in has to log in again.
 */

$data = [];
foreach (['auth', 'secure-auth', 'logged-in', 'nonce'] as $name) {
	foreach (['key', 'salt'] as $kind) {
		$data["$name-$kind"] = base64_encode(bin2hex(random_bytes(32)));
	}
}
echo json_encode(['data' => $data]), "\n";
