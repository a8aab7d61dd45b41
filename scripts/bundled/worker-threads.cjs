// Stands in for node:worker_threads in the server's bundle: all that pino asks is whether this is the main thread.
exports.isMainThread = true
