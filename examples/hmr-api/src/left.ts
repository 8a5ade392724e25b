export const word = 'left'
