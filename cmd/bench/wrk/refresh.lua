-- Redeems refresh tokens, each thread one family. One connection a thread.
-- Arguments: Authorization, then one refresh token for every thread.

local threads = {}
function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

failed = 0

local headers, token
function init(args)
  headers = { Authorization = args[1], ["Content-Type"] = "application/x-www-form-urlencoded" }
  token = args[1 + (number or 1)]
end

function request()
  return wrk.format("POST", "/oauth/token", headers, "grant_type=refresh_token&refresh_token=" .. token)
end

function response(status, _, body)
  local successor = string.match(body, '"refresh_token":"([^"]+)"')
  if status == 200 and successor then
    token = successor
  else
    failed = failed + 1
  end
end

function done(summary, latency)
  local errors = summary.errors.timeout
  for _, thread in ipairs(threads) do
    errors = errors + thread:get("failed")
  end
  io.write(string.format('{"done":%d,"took":%d,"p50":%.1f,"p99":%.1f,"errors":%d}\n',
    summary.requests - errors, summary.duration, latency:percentile(50), latency:percentile(99), errors))
end
