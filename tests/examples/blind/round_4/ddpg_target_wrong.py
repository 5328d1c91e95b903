def targets(self, batch):
    # the action the policy would take in the next state ...
    next_action = self.actor(batch.next_observation).data
    # ... judged by the slow critic
    q = self.target_critic(pair(batch.next_observation, next_action))
    alive = 1.0 - batch.terminated
    return batch.reward + self.gamma * alive * q
