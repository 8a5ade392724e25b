export function greet(): string {
  return 'Hello from greeting.ts'
}
