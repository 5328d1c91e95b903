def add(self, observation, action, reward, next_observation, terminated):
    r"""Copy one transition into the ring."""
    i = self.count % self.capacity     # the oldest row, once the ring is full
    self.ring.observation[i] = observation
    self.ring.action[i] = action
    self.ring.reward[i] = reward
    self.ring.next_observation[i] = next_observation
    self.ring.terminated[i] = terminated
    self.count += 1
