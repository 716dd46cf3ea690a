-- Posts messages; counts every answer that is not a success.
wrk.method = "POST"
wrk.headers["Client-ID"] = "3381af92-2b9e-11e3-b191-71861300734c"
wrk.headers["X-Project-Id"] = "load"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"messages": [{"ttl": 300, "body": {"event": "load"}}]}'

answered, failed = 0, 0
local threads = {}

function setup(thread) table.insert(threads, thread) end

function response(status)
  answered = answered + 1
  if status ~= 201 then failed = failed + 1 end
end

function done()
  local all, bad = 0, 0
  for _, thread in ipairs(threads) do
    all = all + thread:get("answered")
    bad = bad + thread:get("failed")
  end
  io.write(string.format("answered: %d\nfailed: %d\n", all, bad))
end
