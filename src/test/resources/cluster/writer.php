<?php
// Runs inside a WordPress container: writer.php RUN WRITER [HOST]. Inserts numbered rows over the connection that the site itself has (its
// wp-config.php, so its proxy, account and schema), or straight into the member at HOST, and prints one line for each:
// "ack SEQ MICROSECONDS" when the database acknowledged the row, else "err SEQ MICROSECONDS MESSAGE". A number is never tried twice:
// after an error nobody knows whether the row is there. The row says which member accepted it, and when. It ends when its input does.
[, $run, $writer, $host] = $argv + [3 => ''];

const PAUSE_MICROSECONDS = 40000;
const ROWS_PER_CONNECTION = 10; // a page request uses one connection for some statements, too
const CONNECT_SECONDS = 5;
const REPLY_SECONDS = 60; // longer than any gap that a drill allows: a connection that hangs is to be seen as a gap

// wp-config.php ends by loading WordPress from ABSPATH: give it an empty WordPress.
$nothing = sys_get_temp_dir() . '/writer-' . getmypid() . '/';
mkdir($nothing);
touch($nothing . 'wp-settings.php');
define('ABSPATH', $nothing);
$_SERVER['HTTP_HOST'] = 'localhost';
require '/usr/src/wp-config.php';
unlink($nothing . 'wp-settings.php');
rmdir($nothing);

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connect(string $address): mysqli {
    [$host, $port] = explode(':', $address) + [1 => '3306'];
    $connection = mysqli_init();
    $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, CONNECT_SECONDS);
    $connection->options(MYSQLI_OPT_READ_TIMEOUT, REPLY_SECONDS);
    // A member's certificate has its name, not its address.
    $flags = $address === DB_HOST || !MYSQL_CLIENT_FLAGS ? MYSQL_CLIENT_FLAGS : MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT;
    $connection->real_connect($host, DB_USER, DB_PASSWORD, DB_NAME, (int) $port, null, $flags);
    return $connection;
}

// A process in a container outlives the connection that started it: the end of its input is what tells it. Nothing is ever
// written there, so something to read is the end.
function inputHasEnded(): bool {
    [$read, $write, $except] = [[STDIN], null, null];
    return stream_select($read, $write, $except, 0) > 0;
}

$connection = null;
for ($seq = 1; !inputHasEnded(); $seq++) {
    try {
        if ($seq % ROWS_PER_CONNECTION === 0) {
            $connection?->close();
            $connection = null;
        }
        $connection ??= connect($host ?: DB_HOST);
        $connection->query(sprintf("INSERT INTO drill_writes (run, writer, seq, accepted_by, accepted_at) VALUES ('%s', %d, %d, @@hostname, SYSDATE(6))", $run, $writer, $seq));
        $result = 'ack';
        $message = '';
    } catch (mysqli_sql_exception $error) {
        $connection = null;
        $result = 'err';
        $message = ' ' . strtr($error->getMessage(), "\r\n", '  ');
    }
    $line = sprintf("%s %d %d%s\n", $result, $seq, (int) (microtime(true) * 1e6), $message);
    if (@fwrite(STDOUT, $line) !== strlen($line)) {
        exit;
    }
    usleep(PAUSE_MICROSECONDS);
}
