'use strict'

// Calls the cloud through one version of wx-server-sdk, whose name and the calls come as
// JSON arguments, and reports what became of each as a line of JSON.

const { createHash } = require('crypto')

const [pkg, env, calls] = process.argv.slice(2)
const cloud = require(pkg)
cloud.init({ env })

function plain (value) {
  if (Buffer.isBuffer(value)) {
    return { length: value.length, sha256: createHash('sha256').update(value).digest('hex') }
  }
  return value
}

async function make ({ options, method, args }) {
  try {
    const api = options ? cloud.openapi(options) : cloud.openapi
    const target = method.split('.').reduce((at, name) => at[name], api)
    const answer = await target(args)
    return { answer: Object.fromEntries(Object.entries(answer).map(([k, v]) => [k, plain(v)])) }
  } catch (e) {
    return { code: e.errCode, message: e.errMsg || String(e) }
  }
}

(async () => {
  for (const call of JSON.parse(calls)) {
    console.log(JSON.stringify({ name: call.name, ...await make(call) }))
  }
})()
