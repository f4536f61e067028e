<?php

/*
 * An NFS client of its own, as any pod can bring one: no mount, no privilege. It speaks NFSv3 (RFC 1813) over TCP, and says that it is
 * www-data. Prints for each of list, mount, readdir, read and write whether it was "refused" or "ACCEPTED".
 * Usage: nfs.php ADDRESS EXPORT
 */

const PORTMAPPED = ['mount' => [100005, 20048], 'nfs' => [100003, 2049]];
const USER       = 33;
const TIMEOUT    = 5; // seconds: what a policy forbids is dropped, and never answered

$address = $argv[1];
$export  = $argv[2];

function text(string $bytes): string {
    return pack('N', strlen($bytes)) . $bytes . str_repeat("\0", -strlen($bytes) & 3);
}

/** Reads what an answer holds, from its beginning. */
final class Answer {
    private int $at = 0;

    public function __construct(private readonly string $bytes) {
    }

    public function bytes(int $length): string {
        if ($this->at + $length > strlen($this->bytes)) {
            throw new RuntimeException('half an answer');
        }
        $this->at += $length + (-$length & 3);
        return substr($this->bytes, $this->at - $length - (-$length & 3), $length);
    }

    public function number(): int {
        return unpack('N', $this->bytes(4))[1];
    }

    public function text(): string {
        return $this->bytes($this->number());
    }

    /** What may precede a result: the attributes of its file. */
    public function skipAttributes(): void {
        if ($this->number() === 1) {
            $this->bytes(84);
        }
    }

    public function succeeded(): self {
        $status = $this->number();
        return $status === 0 ? $this : throw new RuntimeException("status $status");
    }
}

function receive($socket, int $length): string {
    $bytes = '';
    while (strlen($bytes) < $length) {
        $more = fread($socket, $length - strlen($bytes));
        if ($more === false || $more === '') {
            throw new RuntimeException('no answer');
        }
        $bytes .= $more;
    }
    return $bytes;
}

function call(string $service, int $procedure, string $arguments): Answer {
    global $address;
    [$program, $port] = PORTMAPPED[$service];
    $socket = @fsockopen($address, $port, $code, $reason, TIMEOUT) ?: throw new RuntimeException($reason);
    stream_set_timeout($socket, TIMEOUT);
    $user    = pack('N', time()) . text('stranger') . pack('N4', USER, USER, 1, USER);
    $request = pack('N6', 1, 0, 2, $program, 3, $procedure) . pack('N', 1) . text($user) . pack('N2', 0, 0) . $arguments;
    fwrite($socket, pack('N', strlen($request) | 0x80000000) . $request);
    $bytes = '';
    do {
        $head   = unpack('N', receive($socket, 4))[1];
        $bytes .= receive($socket, $head & 0x7FFFFFFF);
    } while (($head & 0x80000000) === 0);
    fclose($socket);
    $answer = new Answer($bytes);
    $answer->bytes(8); // number of the request, and that this is an answer
    $answer->succeeded();
    $answer->number();
    $answer->text();
    return $answer->succeeded();
}

/** Does one thing; what it returns, or nothing. */
function attempt(string $name, callable $do): mixed {
    try {
        $result = $do();
        echo "ACCEPTED nfs: $name\n";
        return $result;
    } catch (RuntimeException $refusal) {
        echo "refused nfs: $name\n";
        fwrite(STDERR, "$name: {$refusal->getMessage()}\n");
        return null;
    }
}

function names(string $directory): array {
    $answer = call('nfs', 16, text($directory) . str_repeat("\0", 16) . pack('N', 32768))->succeeded();
    $answer->skipAttributes();
    $answer->bytes(8);
    $names = [];
    while ($answer->number() === 1) {
        $answer->bytes(8);
        $names[] = $answer->text();
        $answer->bytes(8);
    }
    return array_values(array_diff($names, ['.', '..']));
}

function lookUp(string $directory, string $name): string {
    return call('nfs', 3, text($directory) . text($name))->succeeded()->text();
}

function read(string $file): string {
    $answer = call('nfs', 6, text($file) . pack('JN', 0, 64))->succeeded();
    $answer->skipAttributes();
    $answer->bytes(8);
    return $answer->text();
}

/** The first bytes of the first file that can be read in or below a directory. */
function readAny(string $directory, int $depth): string {
    foreach (names($directory) as $name) {
        $file = lookUp($directory, $name);
        try {
            return read($file);
        } catch (RuntimeException) {
            if ($depth > 0) {
                try {
                    return readAny($file, $depth - 1);
                } catch (RuntimeException) {
                    continue;
                }
            }
        }
    }
    throw new RuntimeException('nothing to read');
}

function write(string $directory): void {
    $attributes = pack('N2', 1, 0644) . str_repeat("\0", 20);
    $answer     = call('nfs', 8, text($directory) . text('stranger') . pack('N', 0) . $attributes)->succeeded();
    $file       = $answer->number() === 1 ? $answer->text() : lookUp($directory, 'stranger');
    call('nfs', 7, text($file) . pack('JN2', 0, 8, 2) . text('stranger'))->succeeded();
    call('nfs', 12, text($directory) . text('stranger'))->succeeded();
}

attempt('list of exports', function () use ($export) {
    $answer = call('mount', 5, '');
    for ($found = false; $answer->number() === 1;) {
        $found = $answer->text() === $export || $found;
        while ($answer->number() === 1) {
            $answer->text();
        }
    }
    return $found ?: throw new RuntimeException('the export is not in the list');
});
$root = attempt('mount', fn () => call('mount', 1, text($export))->succeeded()->text());
// Without the handle of the root, a stranger can guess one: none is good.
$root ??= str_repeat("\0", 32);
attempt('readdir', fn () => names($root) ?: throw new RuntimeException('nothing is there'));
attempt('read', fn () => readAny($root, 4));
attempt('write', fn () => write($root));
