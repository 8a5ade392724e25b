/**
 * The real loop, compiler and graph in a process of their own (`crates/rekindle_server/examples/driven_loop.rs`): one line on
 * stdin per request, one line on stdout per answer.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Driver {
  waiting = []

  constructor(program = process.env.REKINDLE_DRIVEN_LOOP) {
    if (!program) {
      throw new Error('$REKINDLE_DRIVEN_LOOP does not name the driven loop: cargo build --release -p rekindle_server --example driven_loop')
    }
    // Variables of the shell must not configure the project.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITE_|REKINDLE_)/i.test(name)))
    this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'], env })
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift().done(JSON.parse(line)))
    this.child.on('exit', (code, signal) => {
      for (const { failed } of this.waiting.splice(0)) failed(new Error(`the driven loop ended with ${code ?? signal}`))
    })
  }

  tell(step) {
    return new Promise((done, failed) => {
      this.waiting.push({ done, failed })
      this.child.stdin.write(`${JSON.stringify(step)}\n`)
    })
  }

  end() {
    this.child.stdin.end()
  }
}
