def targets(self, batch):
    s2 = batch.next_observation
    a2 = self.target_actor(s2)                # mu'(s')
    q2 = self.target_critic(pair(s2, a2))     # Q'(s', mu'(s'))
    return batch.reward + self.gamma * (1.0 - batch.terminated) * q2
