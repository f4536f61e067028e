<?php
/**
 * Run in a web pod with a version as its argument: installs, or replaces, a plugin of a hundred files, as an update does; each version
 * has files of its own names. Without a version it deletes the plugin, as the dashboard does.
 * /?probe=1 says which versions of these files a request sees; the REST route /probe/v1/write writes a must-use plugin.
 */

$version = $argv[1] ?? null;
$archive = tempnam('/tmp', 'probe');
$zip     = new ZipArchive();
$zip->open($archive, ZipArchive::OVERWRITE);
$zip->addFromString('probe/probe.php', <<<PLUGIN
	<?php
	/* Plugin Name: Probe
	 * Version: $version */
	add_action('init', static function (): void {
		if (isset(\$_GET['probe'])) {
			\$seen = [];
			foreach (glob(__DIR__ . '/parts/*.php') as \$part) {
				\$seen[include \$part] = true;
				usleep(200);
			}
			exit('versions: ' . implode(' ', array_keys(\$seen)) . (defined('PROBE_WRITTEN') ? ' written' : ''));
		}
	});
	add_action('rest_api_init', static fn() => register_rest_route('probe/v1', '/write', [
		'methods' => 'POST', 'permission_callback' => static fn() => current_user_can('manage_options'), 'callback' => static function (): bool {
			wp_mkdir_p(WP_CONTENT_DIR . '/mu-plugins');
			return (bool) file_put_contents(WP_CONTENT_DIR . '/mu-plugins/written.php', "<?php define('PROBE_WRITTEN', true);");
		},
	]));
	PLUGIN);
for ($part = 0; $part < 100; $part++) {
	$zip->addFromString("probe/parts/$version-$part.php", "<?php return 'v$version';");
}
$zip->close();

require '/etc/wordpress/database.php';
define('DOING_CRON', true);
(new WordPressHa\SiteDatabase())->imitateRequest();
require '/usr/src/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/admin.php';
require ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';
if ($version === null) {
	deactivate_plugins('probe/probe.php');
	$result = delete_plugins(['probe/probe.php']);
} else {
	$result = (new Plugin_Upgrader(new WP_Ajax_Upgrader_Skin()))->install($archive, ['overwrite_package' => true]);
	$result = $result === true ? activate_plugin('probe/probe.php') ?? true : $result;
}
if ($result !== true) {
	fwrite(STDERR, 'The plugin could not be changed: ' . print_r($result, true));
	exit(1);
}
