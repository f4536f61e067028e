-- "tcp-request content lua.await_server BACKEND" holds a new connection until the backend has a server, or until the frontend's
-- inspect-delay is over. Rules alone cannot: they are looked at again when the client sends something, and MySQL's clients
-- wait for the server to begin, so each connection would be held for the whole of that time.

local interval = 50 -- milliseconds between two looks

core.register_action("await_server", { "tcp-req" }, function(transaction, backend)
  while transaction.f:nbsrv(backend) == 0 do
    core.msleep(interval)
  end
end, 1)
