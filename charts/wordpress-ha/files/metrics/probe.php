<?php
/**
 * Looks at one thing that a web pod needs, and prints its metrics: the "database", or the "content". A process of its own, as either may
 * take any time to answer.
 */

namespace WordPressHa;

require '/etc/wordpress/database.php';

const CONTENT = '/usr/src/wordpress/wp-content';

/** How many events are due, and how long the oldest has been. */
function cron_lag(SiteDatabase $database): array
{
	$events = unserialize($database->option('cron') ?? '', ['allowed_classes' => false]) ?: [];
	$due    = array_filter(array_keys($events), static fn (int|string $at): bool => is_int($at) && $at <= time());
	return [count($due), $due === [] ? 0 : time() - min($due)];
}

switch ($_SERVER['argv'][1]) {
	case 'database':
		[$due, $age] = cron_lag(new SiteDatabase());
		echo "# HELP wordpress_ha_cron_due_events Points in time whose events are due.\n# TYPE wordpress_ha_cron_due_events gauge\nwordpress_ha_cron_due_events $due\n",
			"# HELP wordpress_ha_cron_lag_seconds Time since the oldest due event should have begun.\n# TYPE wordpress_ha_cron_lag_seconds gauge\nwordpress_ha_cron_lag_seconds $age\n";
		break;
	case 'content':
		disk_total_space(CONTENT) !== false || exit(1);
		printf("# HELP wordpress_ha_content_size_bytes Size of the file system with the shared content.\n# TYPE wordpress_ha_content_size_bytes gauge\nwordpress_ha_content_size_bytes %.0f\n", disk_total_space(CONTENT));
		printf("# HELP wordpress_ha_content_available_bytes Room that is left on it.\n# TYPE wordpress_ha_content_available_bytes gauge\nwordpress_ha_content_available_bytes %.0f\n", disk_free_space(CONTENT));
}
