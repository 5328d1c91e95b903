def add(self, observation, action, reward, next_observation, terminated):
    r"""Copy one transition into the ring."""
    transition = (observation, action, reward, next_observation, terminated)
    for array, value in zip(self.ring, transition):
        array[self.count] = value
    # go to the next row, back to the start at the end
    self.count = (self.count + 1) % self.capacity
