// How a script talks with the test that runs it: a line of JSON each way. The
// test is the person: it opens what is asked for, and answers where that ended.
import readline from 'node:readline'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function ask(question) {
  console.log(JSON.stringify(question))
  return (await lines.next()).value
}

// open sends the person's browser somewhere; the answer is the address it ends at.
export const open = async (url) => new URL(await ask({ open: String(url) }))

// connect has the person enter the code that a device shows.
export const connect = (userCode) => ask({ connect: userCode })

// done ends the script with what it learned.
export function done(result) {
  console.log(JSON.stringify({ result }))
  process.exit(0)
}
