-- Posts one document over and over, from each thread its own, so that nobody
-- signs in twice at once. One connection a thread. Arguments: the documents.

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(args)
  wrk.method, wrk.body = "POST", args[number or 1]
end

function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('{"done":%d,"took":%d,"p50":%.1f,"p99":%.1f,"errors":%d}\n',
    summary.requests - e.status, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
