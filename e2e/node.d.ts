/** What tests note on objects of Node, and addresses of servers that listen on a port. */
export {}

declare module 'net' {
  interface Server {
    address(): any
    left?: any
  }
}
declare module 'child_process' {
  interface ChildProcess {
    over?: any
    isKilled?: boolean
  }
}
