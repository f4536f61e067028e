<?php
/**
 * As WooCommerce: a cart sets woocommerce_items_in_cart and woocommerce_cart_hash (WC_Cart_Session), its session the cookie
 * wp_woocommerce_session_<hash> (WC_Session_Handler); cart and checkout call nocache_headers() and define DONOTCACHEPAGE (WC_Cache_Helper).
 * Every page shows the cart and the customer's name, so one customer's page in another's hands is seen.
 */
add_action('parse_request', static function (WP $wp): void {
	if (!in_array($wp->request, ['shop', 'cart', 'checkout'], true)) {
		return;
	}
	$cookie  = 'wp_woocommerce_session_' . COOKIEHASH;
	$session = preg_replace('/\W/', '', $_COOKIE[$cookie] ?? '');
	$items   = $session === '' ? 0 : (int) get_transient("shop_$session");
	if (isset($_GET['add-to-cart'])) {
		$session = $session ?: bin2hex(random_bytes(8));
		set_transient("shop_$session", ++$items, 3600);
		setcookie($cookie, $session, 0, '/');
		setcookie('woocommerce_items_in_cart', '1', 0, '/');
		setcookie('woocommerce_cart_hash', md5((string) $items), 0, '/');
		wp_redirect(home_url('/cart/'));
		exit;
	}
	if ($wp->request !== 'shop') {
		define('DONOTCACHEPAGE', true);
		nocache_headers();
	}
	$name = is_user_logged_in() ? wp_get_current_user()->user_login : 'guest';
	echo "<!doctype html><title>Shop</title><p id=customer>Customer: $name</p><p id=cart>Items: $items</p>";
	if ($wp->request === 'checkout' && $_SERVER['REQUEST_METHOD'] === 'POST') {
		delete_transient("shop_$session");
		setcookie('woocommerce_items_in_cart', '', 1, '/');
		echo "<p id=order>Order of $name: $items items</p>";
	}
	echo '<a id=add href="/shop/?add-to-cart=7">Add</a><form method=post action="/checkout/"><button id=buy>Buy</button></form>';
	exit;
});
