<?php
header('Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private');
header('Set-Cookie: wordpress_test_cookie=WP%20Cookie%20check; path=/; HttpOnly');
echo 'Log In, as ', $_SERVER['REQUEST_URI'], isset($_SERVER['OUTSIDE_ADMIN_RANGES']) ? ', from outside' : '';
